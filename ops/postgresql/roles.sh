#!/bin/sh
# Makes the two roles of docs/adr/0021 in a fresh database, as superuser. The image of
# docker-compose.yml runs it once, because it finds it in /docker-entrypoint-initdb.d; ops/ha runs it
# on a new cluster. What the second role may do comes with `bol db upgrade --service-role bol_service`.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set database="$POSTGRES_DB" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set service_password `cat "$SERVICE_PASSWORD_FILE"`
SET log_statement = 'none';
CREATE ROLE bol_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bol_service LOGIN PASSWORD :'service_password';
ALTER DATABASE :"database" OWNER TO bol_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO bol_service;
-- A machine that vanishes while its transaction holds the head of the log would stop all writing
-- until the server finds the connection dead: after two hours, unless it is told to look.
ALTER ROLE bol_service SET tcp_keepalives_idle = 5;
ALTER ROLE bol_service SET tcp_keepalives_interval = 2;
ALTER ROLE bol_service SET tcp_keepalives_count = 3;
ALTER ROLE bol_service SET tcp_user_timeout = '10s';
SQL
