"""The sign-in page and its error page, HTML without scripts."""

from collections.abc import Collection, Mapping
from html import escape
from string import Template
from typing import Final

from sandbox.records.people import StoredUser
from sandbox.records.records import Records

PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1a2233; --quiet: #56607a; --ground: #eef1f7; --card: #fff; --line: #c9d0df;
  --accent: #0a5bd3; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf5; --quiet: #a5aec4; --ground: #10141d; --card: #1a2030;
  --line: #39435a; --accent: #8ab4ff; --on-accent: #0b1220; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main > :last-child { margin-bottom: 0; }
.place { display: inline-block; margin: 0 0 1rem; padding: .1rem .6rem; border: 1px dashed var(--line);
  border-radius: 1rem; font-size: .875rem; font-weight: 600; }
input { flex: none; width: 1.1rem; height: 1.1rem; margin: .2rem 0; accent-color: var(--accent); }
label > span { flex: 1 1 auto; }
main { max-width: 30rem; margin: 2rem auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.3rem; line-height: 1.3; overflow-wrap: anywhere; }
p, .quiet { color: var(--quiet); }
fieldset { margin: 1.25rem 0; padding: 0; border: 0; }
legend { margin-bottom: .5rem; padding: 0; font-weight: 600; }
label { display: flex; gap: .75rem; align-items: flex-start; margin-bottom: .5rem; padding: .6rem .75rem;
  border: 1px solid var(--line); border-radius: .5rem; cursor: pointer; }
label:has(input:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.quiet { display: block; font-size: .9rem; }
details { margin: 1.25rem 0; }
ul { margin: .5rem 0 0; padding-left: 1.25rem; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
button { flex: 1 1 8rem; padding: .7rem 1rem; border: 1px solid var(--accent); border-radius: .5rem; background: none;
  color: var(--accent); font: inherit; font-weight: 600; cursor: pointer; }
button.main { background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
</style>
</head>
<body>
<main>
<p class="place">Calendly sandbox</p>
$content
</main>
</body>
</html>
""")

_FORM: Final = Template("""<h1>$client would like to use Calendly</h1>
<p>Here the people are made up, and nothing leaves this machine.</p>
<form method="post" action="/oauth/authorize">
$hidden
<fieldset>
<legend>Who are you today?</legend>
$people
</fieldset>
<details open>
<summary>What it may do</summary>
<ul>
$scopes
</ul>
</details>
<div class="actions">
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Cancel</button>
</div>
</form>""")

_PERSON: Final = Template("""<label><input type="radio" name="person" value="$id"$checked required>
<span>$name<span class="quiet">$role, $organization ($plan)</span></span></label>""")


# Parameters that the form sends again. A `person` or `decision` in the query is not among them.
_KEPT: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def authorize_page(records: Records, client: str, scopes: Collection[str], asked: Mapping[str, str]) -> str:
    """Return the sign-in form: the users, the scopes, and two buttons."""
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in _KEPT if name in asked
    )
    people = [_person(records, person, first=index == 0) for index, person in enumerate(records.users.values())]
    content = _FORM.substitute(
        client=escape(client),
        hidden=hidden,
        people="\n".join(people),
        scopes="\n".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes)),
    )
    return _PAGE.substitute(title=f"{escape(client)}: sign in to the Calendly sandbox", content=content)


def _person(records: Records, person: StoredUser, *, first: bool) -> str:
    organization = records.organizations[person.organization]
    return _PERSON.substitute(
        id=person.id,
        checked=" checked" if first else "",
        name=escape(person.name),
        role=records.membership_of(person.id).role,
        organization=escape(organization.name),
        plan=organization.plan,
    )


def error_page(description: str) -> str:
    """Return a page that explains why the sign-in cannot go on."""
    content = f"<h1>This sign-in cannot go on</h1>\n<p>{escape(description)}</p>"
    return _PAGE.substitute(title="Sign-in error", content=content)
