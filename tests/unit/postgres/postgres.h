/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Databases of a PostgreSQL server for tests: that of the environment (PATTIMPEX_POSTGRES, as scripts/test.py sets it), else one that this process
 * starts with tests/flows/postgres.py and that ends with it. No server, no test: the process fails. */

/* The URL of a new, empty database. Caller drops it. */
char *px_test_postgres_new(void);
/* Drops the database, cutting connections that are left, and frees url; NULL is harmless. */
void px_test_postgres_drop(char *url);
