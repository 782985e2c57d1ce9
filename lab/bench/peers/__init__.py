"""The same work with other frameworks, each used as its documentation recommends."""
