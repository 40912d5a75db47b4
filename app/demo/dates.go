package demo

import (
	"regexp"
	"time"
)

// tested is how long before the demo starts its newest test was.
const tested = 30 * 24 * time.Hour

var (
	papers = regexp.MustCompile(`\b(calibrated|bump_tested|walk_tested|end_of_life|last_service|expires|licence_expires): (\d{4}-\d{2}-\d{2})\b`)
	tests  = regexp.MustCompile(`\b(?:calibrated|bump_tested|walk_tested): (\d{4}-\d{2}-\d{2})\b`)
)

// SiteOn returns the site file for a demo that starts at now: the dates of tests
// and papers go on with the calendar, by whole days, so that nothing is due in
// the demo that nobody planned. Until 30 days after its newest test the file is as shipped.
func SiteOn(now time.Time) []byte {
	var newest time.Time
	for _, m := range tests.FindAllSubmatch(Site, -1) {
		if day, err := time.Parse(time.DateOnly, string(m[1])); err == nil && day.After(newest) {
			newest = day
		}
	}
	ahead := now.Sub(newest.Add(tested)).Truncate(24 * time.Hour)
	if ahead <= 0 {
		return Site
	}
	return papers.ReplaceAllFunc(Site, func(text []byte) []byte {
		m := papers.FindSubmatch(text)
		day, err := time.Parse(time.DateOnly, string(m[2]))
		if err != nil {
			return text
		}
		return []byte(string(m[1]) + ": " + day.Add(ahead).Format(time.DateOnly))
	})
}
