-- Whether somebody who is no superuser can be given the right to it.
SELECT CASE WHEN CAST(current_setting('server_version_num') AS integer) >= 150000 THEN 1 ELSE 0 END
