"""A small, working memory store."""
