"""Files of people as other systems write them, CSV, TSV, XLSX and ZIPs of these -> records of cells."""
