-- What a member has borrowed from the tool library.
CREATE TABLE loans (
    id INTEGER PRIMARY KEY,
    member_id INTEGER NOT NULL REFERENCES members (id),
    tool TEXT NOT NULL,
    returned INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX loans_by_member ON loans (member_id);
