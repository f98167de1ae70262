#!/bin/sh
# Makes the two roles and the database on a PostgreSQL of yours; run once, as its superuser.
#
#   APP_PASSWORD=... OWNER_PASSWORD=... deploy/postgres-roles.sh
#
# schoolmeals_owner owns the tables and migrates; schoolmeals_app works, and cannot change what is append-only.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --set app="$APP_PASSWORD" --set owner="$OWNER_PASSWORD" \
    --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE schoolmeals_app LOGIN PASSWORD :'app';
CREATE ROLE schoolmeals_owner LOGIN CREATEDB PASSWORD :'owner' IN ROLE schoolmeals_app;
CREATE DATABASE schoolmeals OWNER schoolmeals_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE schoolmeals FROM PUBLIC;
GRANT CONNECT ON DATABASE schoolmeals TO schoolmeals_app;
SQL
