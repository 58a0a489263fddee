// Package calendar says when tasks may run: named calendars, and the windows
// that a task makes of them. It is pure: values in, values out; it reads no
// clock and no file, but for the zone data that package trigger carries.
//
// A Definition is what a person writes; Compile makes a Calendar of it, which is
// open while any of its parts is:
//
//   - dates: whole days of the calendar's zone, "2026-12-25", a range
//     "2026-12-24..2027-01-01", or "12-25" of every year;
//   - weekly: days of the week and times of the day, "mon-fri 09:00-17:00",
//     "sat,sun", "fri 22:00-06:00", which ends on the next day;
//   - cron: "0 0 22 ? * SUN for 4h" opens whenever the expression fires and stays
//     open for so long;
//   - events: what Import makes of an iCalendar file, with their recurrence rules.
//
// # Time zones
//
// Dates and weekly times are open while the clocks of the zone show a time in
// them: of an hour that comes twice both are, of one that is left out nothing is.
// Cron opens by the rules of package trigger. A cron range and an event with a
// time of the day last for their length in elapsed time, a day-long event from
// midnight to midnight.
//
// Everything changes at whole seconds. An opening belongs to the open time, a
// closing does not.
//
// # How it is asked
//
// Each part answers one question: is it open at t, and until when is that certain
// not to change? What is made of parts answers it too, and so do the Windows of a
// task; looking for a change goes from answer to answer, at most maxSteps times.
//
// # Bounds
//
// A definition has at most MaxEntries texts of each kind and MaxEvents events, an
// iCalendar file at most MaxFile bytes. Rules recur at most daily, are followed
// from Definition.From up to Definition.Through, and give at most MaxOccurrences
// occurrences in all. Beyond Through events are closed.
package calendar
