-- The values of the enum types, in their order.
SELECT CAST(enumtypid AS bigint), enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder
