"""Parameter types that the tools of contacts share."""

from dataclasses import dataclass
from typing import Annotated, Final, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from typing_extensions import override

from calendly.identifiers import ContactId, ContactListId, CustomFieldDefinitionId, Identifier, NoteId
from tools.fields import Named, Reference, is_name, is_person, line
from tools.toolset.schemas import WrittenAsText


@dataclass(frozen=True, slots=True)
class Several(WrittenAsText):
    """Several identifiers with commas between them.

    Attributes:
        each: How one of them is written.
        most: How many there may be.
    """

    each: Named
    most: int

    @override
    def parse(self, text: str, info: ValidationInfo) -> list[Identifier | Reference]:
        """Read the text. Raises ValueError."""
        parts = text.split(",")
        if len(parts) > self.most:
            raise ValueError(f"Must name at most {self.most}.")
        return [self.each.parse(part, info) for part in parts]


def or_text(name: str) -> BeforeValidator:
    """Take a text for an object that has it in this field."""
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else cast("object", value))


_CONTACT: Final = Named(ContactId, is_person, " A full name or an e-mail address will do too.")
ContactRef = Annotated[ContactId, _CONTACT, Field(description="name, e-mail, uuid or URI")]
ContactRefs = Annotated[
    list[ContactId], Several(_CONTACT, 10), Field(description="name, e-mail, uuid or URI; up to 10 with commas")
]
ContactRefById = Annotated[ContactId, Named(ContactId), Field(description="uuid or URI")]
CustomFieldDefinitionRef = Annotated[
    CustomFieldDefinitionId, Named(CustomFieldDefinitionId), Field(description="uuid or URI")
]
ContactListRef = Annotated[
    ContactListId, Named(ContactListId, is_name, " Its name will do too."), Field(description="name, uuid or URI")
]
NoteRef = Annotated[NoteId, Named(NoteId), Field(description="uuid or URI")]

Heading = Annotated[str, Field(max_length=255), AfterValidator(line)]
"""The title of a note, the name of a list or the label of a field."""
