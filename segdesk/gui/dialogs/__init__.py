"""Windows that ask or tell something, each imported when it is first opened."""
