"""History over days: levels in Parquet, what each day was, how its morning's levels held, and questions to all that."""
