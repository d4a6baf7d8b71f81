-- The last receipt that was made for an attachment.
SELECT max(id) FROM pattimpex_attachment WHERE parent_id = ? AND is_receipt = 1 AND state <> 'cancelled'
