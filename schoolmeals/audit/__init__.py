"""What happened, who did it and when: append-only, written in the deed's own transaction.

An *event* keeps its payload in canonical JSON (RFC 8785) with a salt of its own, so that it can become a leaf of a
Merkle
log without being read again. What could name a person stands apart, in an erasable *personal part*, of which the event
keeps only the salted commitment: after an erasure the rest can still be replayed and proven.

Never here: decisions, balances, anything that a later deed would need to look up in order to go on.
"""

from schoolmeals.audit.actions import NewEvent, Subject, record, record_many, recording
from schoolmeals.audit.models import AuditEvent, AuditPersonal

__all__ = ["AuditEvent", "AuditPersonal", "NewEvent", "Subject", "record", "record_many", "recording"]
