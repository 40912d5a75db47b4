-- The same password as Mosquitto's files hold it; '' where it was set before
-- they were kept.
ALTER TABLE gateway_credentials ADD COLUMN mosquitto TEXT NOT NULL DEFAULT '';
