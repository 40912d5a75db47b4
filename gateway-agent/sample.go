package agent

import (
	"log/slog"
	"time"

	"nirapod/safety"
)

// sample is one reading as a device gave it: without time in words, and
// without flags.
type sample struct {
	safety.Reading
	mono int64 // ms since boot
}

// emit hands samples to the core. It blocks only while the core is behind.
type emit func(...sample)

func bad(sensor string, why safety.Reason, mono int64) sample {
	return sample{safety.Reading{Sensor: sensor, Quality: safety.Bad, Reason: why}, mono}
}

func good(sensor string, value float64, mono int64) sample {
	return sample{safety.Reading{Sensor: sensor, Value: value, Quality: safety.Good}, mono}
}

// edge logs when a device begins to fail, fails differently, and recovers.
type edge struct {
	log    *slog.Logger
	device string
	now    string
}

func (e *edge) report(err error) {
	was, reason := e.now, ""
	if err != nil {
		reason = string(reasonOf(err))
	}
	e.now = reason
	switch {
	case reason == was:
	case err != nil:
		e.log.Warn("device fails", "device", e.device, "reason", reason, "err", err)
	default:
		e.log.Info("device answers again", "device", e.device)
	}
}

// after returns when the next reading is due after the one that was due at due
// and was taken at now: in step while it can, else a period from now. All in ms.
func after(due, now int64, period time.Duration) int64 {
	next := due + period.Milliseconds()
	if next <= now {
		return now + period.Milliseconds()
	}
	return next
}

// ms is a monotonic time as the decoders take it.
func ms(mono int64) time.Duration { return time.Duration(mono) * time.Millisecond }
