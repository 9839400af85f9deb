"""gensim as one writes it on one page, with the settings of the first preset: Tenfold's is measured by it.

``python -m tests.core.algorithms.word2vec.plain [THREADS]`` runs both alternately, three times, and prints how many
words of the text each trains on in a second of processor time. It is no test: times are not asserted. Both as a worker
does it: ``OPENBLAS_NUM_THREADS=1``, or threads that wait for one another are counted as work.
"""

import sys
import time

from gensim.models import Word2Vec

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.gensim_engine import job_words
from core.algorithms.word2vec.spec import experiment
from core.algorithms.word2vec.train import load
from core.data.corpora import Corpus
from core.events import Step
from core.program import program_of
from core.runs.worker import pacing

EPOCHS = 10


def plain(corpus: Corpus, threads: int) -> float:
    """Words a second of gensim's own training."""
    model = Word2Vec(vector_size=100, window=5, min_count=5, sg=1, negative=5, workers=threads, seed=0)
    model.build_vocab(corpus.sentences)
    began = time.process_time()
    model.train(corpus.sentences, total_examples=model.corpus_count, epochs=EPOCHS)
    return EPOCHS * corpus.words / (time.process_time() - began)


def tenfold(corpus: Corpus, threads: int) -> float:
    """Words a second of Tenfold's, with all that it measures and the snapshots that its page draws."""
    program, config = program_of(experiment), Word2VecConfig(epochs=EPOCHS, threads=threads)
    state = program.build(config, corpus, "cpu")
    share = experiment.snapshot_budget or pacing.SNAPSHOT_SHARE
    budget = pacing.TimeBudget(share, pacing.SNAPSHOT_SOONEST_S, pacing.SNAPSHOT_LATEST_S)
    began = time.process_time()
    for event in program.train(state):
        if not isinstance(event, Step):
            continue
        if state.should_log(event.step):
            list(program.log_metrics(state))
        if budget.ready(time.perf_counter()):
            budget.begin()
            for snapshot in program.snapshots.values():
                snapshot(state)
            budget.done()
    return EPOCHS * corpus.words / (time.process_time() - began)


if __name__ == "__main__":
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    corpus = load(Word2VecConfig(threads=threads))
    print(f"jobs of {job_words(Word2VecConfig(threads=threads), corpus.words)} words")
    for _ in range(3):
        a, b = plain(corpus, threads), tenfold(corpus, threads)
        print(f"plain {a:,.0f}, Tenfold {b:,.0f} words a second: {b / a:.3f}", flush=True)
