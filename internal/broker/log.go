package broker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// repeatAfter is how long a line of one kind keeps the next of its kind
// silent: a gateway with a wrong password knocks every few seconds. A kind is a
// message of the server's about one client id.
const repeatAfter = time.Minute

// maxKinds bounds the memory of what was told; strangers choose client ids.
const maxKinds = 256

// natsLog turns the server's log into slog.
type natsLog struct {
	log *slog.Logger

	mu   sync.Mutex
	told map[string]time.Time // by kind, guarded by mu
	last error                // the last fatal line, guarded by mu
}

// kind is what makes two lines repeat each other: NATS puts address and number
// of the connection into the format.
func kind(format string) string {
	if _, rest, ok := strings.Cut(format, " - mid:"); ok {
		if _, rest, ok = strings.Cut(rest, " - "); ok {
			return rest
		}
	}
	return format
}

func (l *natsLog) put(level slog.Level, format string, v []any) {
	l.mu.Lock()
	now := time.Now()
	k := kind(format)
	repeated := now.Sub(l.told[k]) < repeatAfter
	if !repeated {
		if len(l.told) >= maxKinds {
			clear(l.told)
		}
		l.told[k] = now
	}
	l.mu.Unlock()
	if !repeated {
		l.log.Log(context.Background(), level, "broker", "text", fmt.Sprintf(format, v...))
	}
}

// fatal returns why the server cannot start, nil if it may still.
func (l *natsLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *natsLog) Noticef(format string, v ...any) { l.put(slog.LevelDebug, format, v) }
func (l *natsLog) Warnf(format string, v ...any)   { l.put(slog.LevelWarn, format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.put(slog.LevelWarn, format, v) }
func (l *natsLog) Debugf(string, ...any)           {}
func (l *natsLog) Tracef(string, ...any)           {}

// Fatalf does not end the process: New returns the reason.
func (l *natsLog) Fatalf(format string, v ...any) {
	l.put(slog.LevelError, format, v)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Errorf(format, v...)
}
