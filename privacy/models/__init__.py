"""The rows of this app: the trail, consents, notices, staff and the proof of keys."""

from privacy.models.approvals import Approval
from privacy.models.consent import ConsentEvent, Notice
from privacy.models.keys import KeyProof
from privacy.models.staff import StaffProfile
from privacy.models.trail import AccessRecord

__all__ = ["AccessRecord", "Approval", "ConsentEvent", "KeyProof", "Notice", "StaffProfile"]
