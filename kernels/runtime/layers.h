/* Samples of every function's result in one inference, so that a wrong layer can be found without keeping all tensors.
 */
#ifndef EDGEBIN_RUNTIME_LAYERS_H
#define EDGEBIN_RUNTIME_LAYERS_H

#include "engine.h"

/* Values per function: elements 0, s, 2s, … of its last result's first image, s = max(1, elements / this).
 * edgebin/bundle/layers.py samples the golden tensors in the same way. */
#define EB_LAYER_SAMPLES 64

/* Runs the loaded batch once and writes the list `layers` into the JSON: {"function", "values"} in order of the calls.
 */
void eb_report_layers(eb_engine* engine);

#endif
