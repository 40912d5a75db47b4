package safety

import "errors"

// Kinds of error. Each edge (HTTP, MQTT, exit codes) maps them in one place.
var (
	// ErrInvalid reports input that can never be accepted as it is.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound reports that the named thing does not exist, or not for the asker.
	ErrNotFound = errors.New("not found")
	// ErrNoData reports that there is too little data to decide. Callers must
	// treat it as unknown, never as safe.
	ErrNoData = errors.New("not enough data")
	// ErrConflict reports that the thing is not in a state that allows the act.
	ErrConflict = errors.New("conflict")
	// ErrForbidden reports an act that the asker may see but not do.
	ErrForbidden = errors.New("forbidden")
)
