"""The tables of a spool as its former version made them, for tests that read such a file."""

FORMER_SCHEMA = """
create table said (
    number integer primary key, id text not null unique, key text not null, type text not null, value blob not null,
    headers text not null, recorded_at text not null, acknowledged integer not null default 0
);
create index said_pending on said (number) where not acknowledged;
create table heard (
    number integer primary key, source text not null, id text not null, topic text not null, type text not null,
    value blob not null, about text, logged_at text not null, unique (source, id, topic)
);
create index heard_about on heard (about);
create table positions (topic text, partition integer, next integer not null, primary key (topic, partition));
pragma user_version = 1;
"""
