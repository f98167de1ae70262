"""Pictures: taken in by the office, shown to those who may see the pupil."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask_babel import gettext

from schoolmeals.actors import ActorKind
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.pupils.actions.photos import set_photo
from schoolmeals.pupils.pictures import LARGEST_UPLOAD_BYTES, shrunk
from schoolmeals.pupils.queries import picture
from schoolmeals.pupils.views.frame import OFFICE, done, pages
from schoolmeals.pupils.views.roll import refused_on_pupil
from schoolmeals.web import Policy, actor, guard, now

PEOPLE_AND_TILLS = Policy("signed-in-or-device", lambda who: who.kind in (ActorKind.PERSON, ActorKind.DEVICE))


@pages.get("/photo/<uuid:school_id>/<uuid:photo_id>")
@guard(PEOPLE_AND_TILLS)
def photo(school_id: UUID, photo_id: UUID) -> Any:
    """A picture. It never changes under its address, so the browser may keep it, and nobody between us and it."""
    with reading(actor(), now()) as look:
        found = picture(look, school_id, photo_id)
    answer = Response(found.content, mimetype=found.media_type)
    answer.set_etag(found.sha256.hex()[:32])
    answer.headers["Cache-Control"] = "private, max-age=86400"
    answer.headers["Vary"] = "Cookie"
    return answer.make_conditional(request)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/photo")
@guard(OFFICE)
def take_photo(school_id: UUID, pupil_id: UUID) -> Any:
    """Keep a pupil's picture, small and without what the camera wrote into it."""
    try:
        content = shrunk(_uploaded())
        with transaction(actor(), now()) as work:
            set_photo(work, school_id, pupil_id, content)
    except Invalid as refusal:
        return refused_on_pupil(refusal, school_id, pupil_id)
    return done(gettext("The photo was saved."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


@pages.post("/school/<uuid:school_id>/pupils/<uuid:pupil_id>/photo/remove")
@guard(OFFICE)
def remove_photo(school_id: UUID, pupil_id: UUID) -> Any:
    """Delete a pupil's picture."""
    with transaction(actor(), now()) as work:
        set_photo(work, school_id, pupil_id, None)
    return done(gettext("The photo was deleted."), "pupils.pupil_page", school_id=school_id, pupil_id=pupil_id)


def _uploaded() -> bytes:
    file = request.files.get("photo")
    if file is None or not file.filename:
        raise Invalid(fields={"photo": [FieldProblem.of("missing", N_("Choose a picture."))]})
    return file.stream.read(LARGEST_UPLOAD_BYTES + 1)
