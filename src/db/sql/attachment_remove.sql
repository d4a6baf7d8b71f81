-- An attachment whose bytes and history are not needed any more.
DELETE FROM pattimpex_attachment WHERE id = ?
