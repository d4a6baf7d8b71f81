/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

void add_statement_tests(void);
void add_tx_tests(void);
void add_refusal_tests(void);
void add_shared_tests(void);
void add_wake_tests(void);
void add_postgres_tests(void);
void add_expression_tests(void);
