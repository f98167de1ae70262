"""Who is there: people, organisations and roles, the ways in, tills, and the school's calendar.

A *person* signs in by e-mail or phone; a *grant* is a role held in an *organisation*; a *session* is one signed-in
browser or program. A *device* is a till with a key of its own, opened for a *shift* by a cashier's PIN. Secrets are
kept as hashes, or sealed where they must be read again.

Never here: pupils and guardians, money, what a role may see in another room.
"""

from schoolmeals.identity.actions.calendar import clear_calendar_day, edit_calendar, seed_calendar, set_school_week
from schoolmeals.identity.actions.devices import (
    close_shift,
    enrol_device,
    new_device,
    open_shift,
    revoke_device,
    set_pin,
)
from schoolmeals.identity.actions.invitations import invite, withdraw_invitation
from schoolmeals.identity.actions.organisations import edit_organisation, new_organisation
from schoolmeals.identity.actions.passkeys import Site
from schoolmeals.identity.actions.people import end_parent_role, grant_role, new_person, revoke_role
from schoolmeals.identity.attempts import forget_attempts, spend_attempt, too_many
from schoolmeals.identity.codes import shown_code
from schoolmeals.identity.devices import till_name
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.locks import lock_person
from schoolmeals.identity.queries import (
    DeviceFacts,
    OrganisationFacts,
    PersonFacts,
    acting_person,
    calendar_of,
    device_of,
    holds_role,
    members,
    organisation,
    organisations,
    people,
    people_in,
    require_role_in,
    schools,
    standing_invitations,
)
from schoolmeals.identity.signatures import verify_signature
from schoolmeals.identity.signing import PasskeyProof, proves, sign_by_passkey, signing_options
from schoolmeals.identity.sites import passkeys_can_work, present_site
from schoolmeals.identity.visitors import (
    TillChanged,
    device_from_headers,
    find_actor,
    keep_language,
    look_again,
    present_device,
    remembers_till,
    signature_bytes,
    standing_question,
)

__all__ = [
    "DeviceFacts",
    "Keyring",
    "OrganisationFacts",
    "PasskeyProof",
    "PersonFacts",
    "Site",
    "TillChanged",
    "acting_person",
    "calendar_of",
    "clear_calendar_day",
    "close_shift",
    "device_from_headers",
    "device_of",
    "edit_calendar",
    "edit_organisation",
    "end_parent_role",
    "enrol_device",
    "find_actor",
    "forget_attempts",
    "grant_role",
    "holds_role",
    "invite",
    "keep_language",
    "lock_person",
    "look_again",
    "members",
    "new_device",
    "new_organisation",
    "new_person",
    "open_shift",
    "organisation",
    "organisations",
    "passkeys_can_work",
    "people",
    "people_in",
    "present_device",
    "present_site",
    "proves",
    "remembers_till",
    "require_role_in",
    "revoke_device",
    "revoke_role",
    "schools",
    "seed_calendar",
    "set_pin",
    "set_school_week",
    "shown_code",
    "sign_by_passkey",
    "signature_bytes",
    "signing_options",
    "spend_attempt",
    "standing_invitations",
    "standing_question",
    "till_name",
    "too_many",
    "verify_signature",
    "withdraw_invitation",
]
