//! kv::Store on fjall: one process, one directory.
