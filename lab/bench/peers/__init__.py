"""The same work as others would do it, each as its own documentation says."""
