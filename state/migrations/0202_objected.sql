-- What the desk refused is tried again, slowly, and meanwhile holds up no other
-- item; what it refused before counts as such.
UPDATE outbox SET status = 'objected' WHERE dest = 'desk' AND status = 'refused';
CREATE INDEX outbox_objected ON outbox (dest, seq) WHERE status = 'objected';
