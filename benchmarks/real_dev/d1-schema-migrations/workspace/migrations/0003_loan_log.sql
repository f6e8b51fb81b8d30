CREATE TABLE loan_log (entry TEXT NOT NULL);

CREATE TRIGGER loan_logged AFTER INSERT ON loans
BEGIN
    INSERT INTO loan_log VALUES ('out; ' || NEW.tool);
END;
