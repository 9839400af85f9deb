"""A small language with a grammar and known kinds of words: what is alike is known here, so learning can be checked.

A sentence is drawn from a few patterns whose slots are kinds of words. Two words of a kind may stand in exactly the
same places, and each verb goes with kinds of its own: what a person calls similar is here a fact of the grammar.
"""

import random
from collections.abc import Mapping

from core.words import N_

#: The kinds and their words.
KINDS: Mapping[str, tuple[str, ...]] = {
    N_("animal"): ("cat", "dog", "horse", "mouse", "bird", "sheep", "goat", "fox"),
    N_("person"): ("girl", "boy", "woman", "man", "teacher", "farmer", "doctor", "child"),
    N_("food"): ("bread", "soup", "apple", "cheese", "rice", "cake", "corn", "carrot"),
    N_("place"): ("house", "garden", "school", "river", "forest", "village", "market", "field"),
    N_("colour"): ("red", "blue", "green", "yellow", "black", "white", "brown", "grey"),
    N_("eating"): ("eats", "likes", "finds", "wants", "smells", "tastes"),
    N_("going"): ("walks", "runs", "goes", "hurries", "returns", "wanders"),
    N_("saying"): ("says", "thinks", "knows", "believes", "hopes", "claims"),
    N_("time"): ("today", "tomorrow", "yesterday", "often", "sometimes", "never"),
}

#: Slots in braces are kinds; all else stands as it is.
PATTERNS = (
    "the {animal} {eating} the {food}",
    "the {colour} {animal} {eating} {food} {time}",
    "the {person} {eating} {colour} {food}",
    "the {animal} {going} to the {place} {time}",
    "the {person} {going} from the {place} to the {place}",
    "{time} the {person} {going} to the {colour} {place}",
    "the {person} {saying} that the {animal} {eating} {food}",
    "the {person} {saying} that the {person} {going} to the {place}",
    "the {person} and the {animal} {going} to the {place}",
)

#: The kind of each word that has one.
CLASSES: Mapping[str, str] = {word: kind for kind, words in KINDS.items() for word in words}


def sentences(count: int, seed: int) -> list[list[str]]:
    """``count`` sentences, each a list of words; the same seed gives the same ones."""
    rng = random.Random(seed)
    patterns = [pattern.split() for pattern in PATTERNS]
    return [
        [rng.choice(KINDS[part[1:-1]]) if part[0] == "{" else part for part in rng.choice(patterns)]
        for _ in range(count)
    ]
