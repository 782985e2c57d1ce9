"""The sentences of other services that an app shows: why a record, a report or a code is refused.

A service says them as a template with values. An app translates what it has in its own file of texts.
"""

TEMPLATES = (
    # Production, of reports.
    "A recall is lifted only with a reason. Please say in a few words why the lot may be sold again.",
    "All lot numbers of this product for this day are used up. Please put the pieces into one larger lot.",
    "Another terminal has sent a report with this id. Please enter it again as a new report.",
    "Fewer pieces of this lot are on hand than the correction takes away; the rest is reserved or sent.",
    "More than {most} ({unit}) of this product at once looks like a typing error. If it is right, "
    "report it in parts.",
    "No lot with this number is recorded. Please compare it with the label.",
    "Pieces of this lot are reserved or were sent, so its report stays. Please correct it, or recall the lot.",
    "The best-before day is earlier than the day of making.",
    "The change is 0: nothing to correct. Say how many more (+) or fewer (-) there are than recorded.",
    "The day of making has not come yet. Please check the date, and the terminal's clock.",
    "The day of making is more than 400 days ago. Please check the year.",
    "The quantity must be at least 1.",
    "The report of this lot was withdrawn, so there is no such lot. Please record its pieces as a new lot.",
    "This facility code is not in the list. Please check the terminal's settings.",
    "This facility was retired from the catalogue before this report was made. Please ask its staff.",
    "This is not a lot number: its check character does not fit. Please compare it with the label.",
    "This lot is already recalled; nothing more needs to be done.",
    "This lot is not recalled; there is nothing to lift. Please compare its number with the label.",
    "This lot was made by another facility; only that facility can change it.",
    "This product code is not in the catalogue. It has three letters; please choose it from the list.",
    "This product is not listed for your facility. If you have begun to make it, ask for it to be added.",
    "This product keeps for {days} days; the best-before day is later. Leave it out to have it worked out.",
    "This product was retired before this report was made. Please choose another one from the list.",
    # The gateway, of records.
    "A device of this name is enrolled, and this record has no signature of it. That device itself syncs what a "
    "former version recorded.",
    "An operator has refused this record: {reason}",
    "Enrolled devices alone send records here. Let this one be enrolled: `karya devices code`.",
    "The device of this record is revoked. The record is held until an operator releases or refuses it.",
    "The record is not signed, and was made after its device was enrolled.",
    "The record is of a device that is revoked.",
    "The record is of {source}, and was signed by another device.",
    "The record was signed by a device that is not enrolled (yet).",
    "The record's signature does not count: it was changed after it was signed.",
    "The source of a record must be {kind}/{place}/NAME.",
    "Your account may not do this. An organiser or administrator can grant the role that it needs.",
    # Identity, of codes and devices.
    "The account that gave this code may not enrol devices here any more. Please ask for a new code.",
    "The challenge is too old, or was used. Ask for a new one.",
    "The code is for {scope}, and the device is set up for {other}.",
    "The device has not proven that it has this key.",
    "This code is not known, was used, or is too old. Please ask for a new one.",
    "This device is not enrolled, or its proof does not count. Enrol it with a new code.",
    "This device is revoked. `karya terminal export` or `karya till export` writes its unsent records to a file for "
    "an operator. To use the device again, move its .key file away and enrol it with a new code.",
    "This is no key of its curve.",
)
