// Package notice knows the law's side of an incident: which kinds are
// notifiable, which clocks run, what a machine may write on a notice and how
// the paper looks. The law is dated data under law/, each row with its source
// and whether a person has verified it. The package does no I/O beyond its
// embedded data and knows no clock.
package notice
