package trigger

import "testing"

func TestDescribe(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"0 30 2 * * ?":            "at 02:30, every day",
		"15 30 2,14 * * ?":        "at 02:30:15 and 14:30:15, every day",
		"0 30 2 ? * MON-FRI":      "at 02:30, on Monday to Friday",
		"0 15 3 ? * FRI-MON":      "at 03:15, on Monday and Friday to Sunday",
		"* * * * * ?":             "every second",
		"0/10 * * * * ?":          "every 10 seconds",
		"0 * * * * ?":             "every minute",
		"0 0/5 * * * ?":           "every 5 minutes",
		"0 3/15 * * * ?":          "every 15 minutes from minute 3",
		"0 */7 * * * ?":           "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour",
		"0 0/5 9-17 ? * MON-FRI":  "every 5 minutes from 09:00 to 17:59, on Monday to Friday",
		"0 0 * * * ?":             "every hour",
		"0 15 * * * ?":            "at minute 15 of every hour",
		"0 0 */2 * * ?":           "at minute 0 of every 2nd hour, every day",
		"0 0 1/3 * * ?":           "at minute 0 of every 3rd hour from hour 1, every day",
		"0 0 8-18 * * ?":          "at minute 0 of hours 8 to 18, every day",
		"0 30 9-11,20 * * ?":      "at 09:30, 10:30, 11:30 and 20:30, every day",
		"5 * 9-17 * * ?":          "at second 5 of every minute from 09:00 to 17:59, every day",
		"* * 9 * * ?":             "every second from 09:00 to 09:59",
		"0 0 0 1 * ?":             "at 00:00, on day 1 of the month",
		"0 0 0 1,15 * ?":          "at 00:00, on days 1 and 15 of the month",
		"0 0 0 */10 * ?":          "at 00:00, on every 10th day of the month from day 1",
		"0 0 0 L * ?":             "at 00:00, on the last day of the month",
		"0 0 0 L-3 * ?":           "at 00:00, 3 days before the last day of the month",
		"0 0 0 L-1 * ?":           "at 00:00, 1 day before the last day of the month",
		"0 0 0 LW * ?":            "at 00:00, on the last working day (Monday to Friday) of the month",
		"0 0 0 L-3W * ?":          "at 00:00, on the working day nearest to 3 days before the last day of the month",
		"0 0 0 15W * ?":           "at 00:00, on the working day nearest to day 15 of the month",
		"0 0 0 ? * FRI#2":         "at 00:00, on the second Friday of the month",
		"0 0 0 ? * 6L":            "at 00:00, on the last Friday of the month",
		"0 0 0 29 2 ?":            "at 00:00, on 29 February",
		"0 0 0 * NOV-FEB ?":       "at 00:00, every day, in January, February, November and December",
		"0 0 0 1 1,4-12 ? 2027/2": "at 00:00, on day 1 of the month, in January and April to December, in every 2nd year from 2027",
		"0 0 0 1 1 ? 2028,2030":   "at 00:00, on 1 January, in 2028 and 2030",
		"0 0 13 * 5":              "at 00:00, on day 13 of the month or on Friday",
		"0 0 */2 * 5":             "at 00:00, on every 2nd day of the month from day 1 when it is Friday",
		"@weekly":                 "at 00:00, on Sunday",
		"@hourly":                 "every hour",
		"@every 1h":               "every hour",
		"@every 90m":              "every 1 hour 30 minutes",
		"@every 250ms":            "every 250 milliseconds",
		"0 0 0 30 2 ?":            "at 00:00, on 30 February",
		"0 11 11 11 11 ?":         "at 11:11, on 11 November",
		"0,30 0/30 12 ? * *":      "at seconds 0 and 30 of minutes 0 and 30 of hour 12, every day",
	} {
		c := mustParse(t, expr)
		if got := c.Describe(); got != want {
			t.Errorf("%s\n got %q\nwant %q", expr, got, want)
		}
	}
}
