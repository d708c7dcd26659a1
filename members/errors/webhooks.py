"""Where changes are pushed to, and what stands against an address."""

from django.utils.translation import gettext_lazy as _

from members.errors.base import MembersError


class AddressRefused(MembersError):
    """A URL that leads into an inner network, or is not plainly an https address of the internet."""

    code = "members.webhook_address_refused"
    message = _("This URL cannot be used: %(why)s.")


class AddressUnresolved(MembersError):
    """The name in a URL has no address now."""

    code = "members.webhook_address_unresolved"
    message = _("The name %(host)s has no address.")


class EndpointUnknown(MembersError):
    """The channel has no webhook endpoint with this number."""

    code, status = "members.webhook_endpoint_unknown", 404
    message = _("This channel has no such webhook endpoint.")


class EndpointTaken(MembersError):
    """The channel has a webhook endpoint with this URL already."""

    code, status = "members.webhook_endpoint_taken", 409
    message = _("This channel has a webhook endpoint with this URL already.")


class EndpointsTooMany(MembersError):
    """A channel has as many webhook endpoints as one may have."""

    code, status = "members.webhook_endpoints_too_many", 409
    message = _("A channel may have %(most)s webhook endpoints at the most.")
