//! handoffd
