/** The data file of the form; the Data page takes its files the same way. */
export { numbered, useDataFile } from '@/api/useDataFile'
