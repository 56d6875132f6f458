"""Authentication, sessions, API tokens, permissions, request guards and the audit trail."""
