// Package report makes tables and pictures of samples: what was reached beside what is to be reached, and what everything costs.
//
// Times of a shared machine mean little by themselves. So a figure that is compared is a ratio of two samples of the same round, and what is
// shown is the median of the rounds with the least and the greatest.
package report
