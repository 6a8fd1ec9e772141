"""A small, working memory queue."""
