"""The database engine used where `DATABASE_URL` is unset: PostgreSQL from a wheel, started when first needed."""
