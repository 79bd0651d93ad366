//! column loops: text to shape, ordering, conversation fold, topic coincidence, histograms
