// A month of days, as a grid to walk with the arrow keys: one stop for Tab, and the day with the focus is the day shown.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

// The day to which a key leads, null for a key that leads nowhere.
function dayAfter(key, day, firstDay) {
  if (key in STEPS) return laterDay(day, STEPS[key]);
  const column = columnOf(day, firstDay);
  if (key === "Home") return laterDay(day, -column);
  if (key === "End") return laterDay(day, 6 - column);
  if (key === "PageUp" || key === "PageDown") {
    const month = laterMonth(monthOf(day), key === "PageUp" ? -1 : 1);
    const last = laterDay(`${laterMonth(month, 1)}-01`, -1);
    const same = `${month}${day.slice(7)}`;
    return same < last ? same : last;
  }
  return null;
}

const columnOf = (day, firstDay) => (new Date(wallOfDay(day)).getUTCDay() - firstDay + 7) % 7;

function weeksOf(month, firstDay) {
  const first = `${month}-01`;
  const start = laterDay(first, -columnOf(first, firstDay));
  const weeks = [];
  for (let day = start; day < `${laterMonth(month, 1)}-01`; day = laterDay(day, 7)) {
    weeks.push([0, 1, 2, 3, 4, 5, 6].map((days) => laterDay(day, days)));
  }
  return weeks;
}

// Draws it. `view` has month, day, today, firstDay, `times(day)`, which are the open times or null where nobody looked,
// and `mayTurn(months)`. Only what changes is drawn anew: a heading that stays is read out when its text changes.
function drawCalendar(view, choose) {
  const table = document.getElementById("days");
  const hadFocus = table.tBodies[0].contains(document.activeElement);
  const weeks = weeksOf(view.month, view.firstDay);
  document.getElementById("month").textContent = monthName(view.month);
  document.getElementById("earlier").setAttribute("aria-disabled", String(!view.mayTurn(-1)));
  document.getElementById("later").setAttribute("aria-disabled", String(!view.mayTurn(1)));
  table.tHead.rows[0].replaceChildren(...weeks[0].map(weekday));
  table.tBodies[0].replaceChildren(
    ...weeks.map((week) => element("tr", {}, ...week.map((day) => cell(day, view, choose)))),
  );
  if (hadFocus) table.querySelector("[tabindex='0']")?.focus();
}

// Where a key leads from the day that has the focus, null for nowhere.
function walked(event, firstDay) {
  const { day } = event.target.dataset;
  if (!day || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return null;
  return dayAfter(event.key, day, firstDay);
}

function weekday(day) {
  const named = (weekday) => formatter("UTC", { weekday }).format(wallOfDay(day));
  return element("th", { scope: "col", abbr: named("long") }, named("short"));
}

function cell(day, view, choose) {
  const isPast = day < view.today;
  if (isPast && monthOf(day) !== view.month) return element("td", { role: "gridcell" });
  const times = view.times(day);
  const count = times === null ? "not looked up" : times.length ? `${times.length} open` : "none open";
  const isShown = day === view.day;
  const face = button(String(Number(day.slice(8))), () => choose(day), {
    class: isPast ? "past" : times?.length ? "open" : times ? "none" : "unknown",
    disabled: isPast,
    "data-day": day,
    tabindex: isShown ? "0" : "-1",
    "aria-label": isPast ? longDay(day) : `${longDay(day)}, ${count}`,
    "aria-current": day === view.today ? "date" : null,
  });
  return element("td", { role: "gridcell", "aria-selected": String(isShown) }, face);
}
