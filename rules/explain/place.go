package explain

// ofPlace says what a condition asks of the place, the people, the calendar and
// the papers.
var ofPlace = map[string]string{
	"in_shift": "a shift works", "approved_hours": "the approved hours run", "since_shift_start": "the time since the newest shift began",
	"people_at_least": "how many are counted in the zone at least", "people_at_most": "how many are counted in the zone at most",
	"occupied": "the zone is not known to be empty", "density": "how many are counted at least on a square metre of the zone",
	"employed": "how many are employed in the zone in a shift", "stay_out": "nobody may be in the building",
	"proved": "the exit was seen to open since the newest shift began", "licence_expired": "the licence of the zone's boiler has expired",
	"licence_left": "how long the licence of the zone's boiler lasts", "uncovered": "the number of required detections that no sensor does",
	"required":        "the exit must open now: always, or in a shift while its zone is not known to be empty",
	"unpowered":       "the mains of its gateway are away, or came back less than a minute ago",
	"calibration_age": "the time since its calibration", "bump_age": "the time since its bump test", "walk_age": "the time since its walk test",
	"life_left": "how long it lasts", "neighbour_gap": "how far it is from the median of its neighbours, in what healthy ones differ by",
	"calibrated": "it has a date of calibration", "bump_tested": "it has a date of its bump test", "walk_tested": "it has a date of its walk test",
	"worn_out": "it is past its end of life", "isolated": "a permit isolates it", "untested": "it was armed again after a permit and not tested",
}

var placeUnknown = map[string]string{
	"people_at_least": "a counter of the zone cannot be read", "people_at_most": "a counter of the zone cannot be read, or there is none",
	"density": "a counter of the zone cannot be read", "proved": "no shift has been for a month", "uncovered": "a sensor has not spoken yet",
	"calibration_age": "it has no date of calibration", "bump_age": "it has no date of its bump test", "walk_age": "it has no date of its walk test",
	"life_left": "it has no date", "worn_out": "it has no date", "neighbour_gap": "none of its neighbours can be compared",
}

var ofExits = map[string]string{
	"egress":              "how many people the unlocked exits of the zone carry",
	"egress_less_largest": "how many people the unlocked exits of the zone carry without the largest",
}
