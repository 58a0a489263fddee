// Package trigger says when a task fires: values in, values out. It reads no
// clock and logs nothing; the one thing it asks of the machine is its time
// zone files, and it carries its own for machines without (time/tzdata). Hosts
// of one cluster should have zone data of one release.
//
// A Cron is a compiled expression, without zone or start. A Compiler makes a
// task.TriggerInfo into a Trigger, of 64 bytes, that answers Next, All, Last
// and Count; it holds each expression and each zone once, for however many
// tasks. What is compiled is immutable and safe for concurrent use.
//
// # Instants
//
// A Trigger is a set of instants, in whole milliseconds, that depends on the
// definition alone: not on what has fired, so it needs no history, and not on
// when it is asked. It holds no instant up to from (task.Info.From), none
// before Start and none after End, both of which it may hold themselves, and
// none after MaxYear.
//
//   - An interval begins at Start; without one at the first millisecond after
//     from. Firing k, from 0, is due k intervals later. Count n ends it with
//     firing n, -1 never, 0 with the first. A Start in the past keeps the grid,
//     and the firings that are past count as gone. See Pin.
//   - At is one instant. Neither cron, nor interval, nor At: once, at Start or
//     at once.
//   - "@every 5m" is an interval for ever whose first firing is at Start, or
//     five minutes after from.
//   - A cron expression fires at whole seconds of the wall clock of TZ.
//   - Jitter moves every instant of the task later by one amount, drawn from
//     the task's uid: below Jitter, and the same on every host and for ever.
//
// # Expressions
//
// Six or seven fields are read as by Quartz 2.3.2 (org.quartz.CronExpression):
// seconds, minutes, hours, day of month, month, day of week, and the years if
// they are limited.
//
//	field         values             also
//	seconds       0-59
//	minutes       0-59
//	hours         0-23
//	day of month  1-31               ? L L-3 LW L-3W 15W
//	month         1-12 or JAN-DEC
//	day of week   1-7 or SUN-SAT     ? L 6L FRIL 6#2 FRI#2
//	year          1970-2299
//
// Each takes *, lists (1,15), ranges (9-17) and steps (*/5, 10/5, 9-17/2). A
// range whose end is the lower goes round: 22-2, NOV-FEB, FRI-MON. Exactly one
// of the two day fields is "?". L is the last day of the month, and Saturday
// as a day of the week; 6L the last Friday; FRI#2 the second Friday; 15W the
// working day nearest to the 15th in the same month. A month without the day
// that is named has no firing: not 31 in April, not 31W, not L-30 in February.
// Letters may be small.
//
// What Quartz refuses is refused. So is some of what Quartz takes but does not
// do: it ignores a step after a name (MON-FRI/2), a day beside 15W or FRI#2
// (15W,20), and letters after a number. Two things of Quartz are bugs that are
// not kept: 31W firing on the 1st of the next month, and a search that never
// ends for L-30W. Text after the year is ignored, as Quartz does, with a
// warning.
//
// Five fields are read as a crontab's: minutes, hours, day of month, month,
// day of week, from 0 or SUN to 6, and 7 again for Sunday. When both day
// fields are given, a day matches if either does; one that begins with * is
// not given, and then both must match. ? L W # are for Quartz alone.
//
// # When clocks are changed
//
// Where a zone changes its clocks, some local times do not exist (a gap) and
// others happen twice (an overlap). The rule depends on the hours field:
//
//   - Named hours (2, 9-17, 8,20) mean those times of the day, each once. A time
//     that falls into a gap fires at its end; several that do fire there once. A
//     time in an overlap fires when it is shown first.
//   - Open hours (*, or any step as in */2, or all 24 of them) mean the flow of
//     time: they fire whenever the clock shows a matching time. In a gap there
//     is none; in an overlap there are two.
//
// In New York, where 2026-03-08 02:00 to 03:00 does not exist, and 2026-11-01
// 01:00 to 02:00 happens twice:
//
//	0 30 2 * * ?      8 March: 03:00, once; 9 March: 02:30
//	0 0/10 2 * * ?    8 March: 03:00, once
//	0 0/30 * * * ?    8 March: 01:30, 03:00, 03:30, every half hour
//	0 0 */2 * * ?     8 March: 00:00, 04:00: no clock shows 02:00
//	0 30 1 * * ?      1 November: the first 01:30, not the second
//	0 30 * * * ?      1 November: 00:30, both 01:30, 02:30, every hour
//
// The rule is the same for every size of change: half an hour in Lord Howe, a
// whole day in Apia, where 2011-12-30 was left out and its firings of named
// hours happened as 2011-12-31 began. Note says, for one instant, what a
// change did to it. Java Quartz differs: it drops the 02:30 of the gap, and
// falls silent in the second hour of an overlap.
//
// # Bounds
//
// Next looks at no month twice and at no more than the changes of clocks
// within two days of its answer: some hundred nanoseconds, ten microseconds
// for a date that never comes. Last asks Next some forty times at most. Count
// looks at each month and each change of clocks in its range, whatever the
// number of firings. An expression has at most 2048 characters.
package trigger
