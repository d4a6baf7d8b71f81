-- Receipts: what a partner is told of a file, beside the error file; direction is error, parent_id the attachment that it is about.
ALTER TABLE pattimpex_attachment ADD COLUMN is_receipt integer NOT NULL DEFAULT 0;
