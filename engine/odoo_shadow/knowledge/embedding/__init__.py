"""Embeddings of documents: vectors of texts by which things are found that are said in other words."""
