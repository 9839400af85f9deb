"""The page of Word2Vec."""

from pages.parts.bench import bench

bench("word2vec")
