package dashboard

import (
	"sync"
	"time"
)

// Wrong passwords are counted per name and per address. A name is let in again
// after the window, so nobody can lock a duty officer out for longer.
const (
	maxFailures   = 8
	failureWindow = time.Minute
	maxRemembered = 10_000
)

// loginLimit counts failures in a sliding window. Safe for concurrent use.
type loginLimit struct {
	mu       sync.Mutex
	failures map[string][]time.Time // guarded by mu
}

func newLoginLimit() *loginLimit { return &loginLimit{failures: map[string][]time.Time{}} }

// wait returns how long keys must still wait at now; 0 means go on.
func (l *loginLimit) wait(now time.Time, keys ...string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest time.Duration
	for _, key := range keys {
		recent := l.recent(key, now)
		if len(recent) >= maxFailures {
			longest = max(longest, recent[len(recent)-maxFailures].Add(failureWindow).Sub(now))
		}
	}
	return longest
}

// fail records one wrong password for keys.
func (l *loginLimit) fail(now time.Time, keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) > maxRemembered {
		for key := range l.failures {
			l.recent(key, now)
		}
	}
	for _, key := range keys {
		l.failures[key] = append(l.recent(key, now), now)
	}
}

// forget clears keys after a right password.
func (l *loginLimit) forget(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.failures, key)
	}
}

func (l *loginLimit) recent(key string, now time.Time) []time.Time {
	all := l.failures[key]
	for len(all) > 0 && now.Sub(all[0]) >= failureWindow {
		all = all[1:]
	}
	if len(all) == 0 {
		delete(l.failures, key)
	} else {
		l.failures[key] = all
	}
	return all
}
