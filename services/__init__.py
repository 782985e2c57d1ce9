"""The services of Karya but operations, which stands above them in `ops/service`. None imports another."""
