export SMSHUB_PROGRAM_SID='your ProgramSID'
export SMSHUB_PROGRAM_KEY='your ProgramKey'
