"""The page of Word2Vec."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("word2vec")
